"""Forms taken apart as they arrive, in pieces of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.digest import digest_of
from metadata.errors import CalotypeError, FullError, InvalidError, TooLargeError
from server.multipart import FilePart, Form, FormReader, FormRules, boundary_of

BOUNDARY = b"----WebKitFormBoundary7MA4YWxk"
RULES = FormRules(frozenset({"file"}), frozenset({"tags", "type"}), 1000, 100)


class Bytes:
    """What a sink made."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.dropped = False

    def discard(self) -> None:
        """Note it."""
        self.dropped = True


class Sinks:
    """A factory of sinks in memory that remembers what became of each."""

    def __init__(self, fail_at: int = 10**9) -> None:
        self.made: list[MemorySink] = []
        self.fail_at = fail_at

    def __call__(self) -> MemorySink:
        """Make one."""
        self.made.append(MemorySink(self.fail_at))
        return self.made[-1]

    @property
    def left(self) -> int:
        """How many files' bytes are still kept."""
        return sum(not (sink.dropped or (sink.result and sink.result.dropped)) for sink in self.made)


class MemorySink:
    """A sink that keeps copies of what it is given."""

    def __init__(self, fail_at: int) -> None:
        self.data = bytearray()
        self.fail_at = fail_at
        self.dropped = False
        self.result: Bytes | None = None

    def write(self, chunk: bytes | memoryview) -> None:
        """Keep it."""
        if len(self.data) + len(chunk) > self.fail_at:
            raise FullError("No room.")
        self.data += chunk

    def finish(self) -> Bytes:
        """Hand it on."""
        self.result = Bytes(bytes(self.data))
        return self.result

    def discard(self) -> None:
        """Note it."""
        if self.result is None:
            self.dropped = True


def part(disposition: str, data: bytes, *more: str) -> bytes:
    lines = [f"Content-Disposition: form-data; {disposition}", *more]
    return b"--" + BOUNDARY + b"\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + data + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"


def read(data: bytes, sinks: Sinks | None = None, rules: FormRules = RULES, step: int = 10**6) -> Form[Bytes]:
    reader = FormReader(BOUNDARY, rules, sinks or Sinks())
    try:
        for start in range(0, len(data), step):
            reader.feed(data[start : start + step])
        return reader.close()
    except CalotypeError:
        reader.discard()
        raise


def content(file: FilePart[Bytes]) -> bytes:
    assert isinstance(file.outcome, Bytes)
    return file.outcome.data


TRICKY = st.lists(
    st.sampled_from([b"\r\n--" + BOUNDARY[:9], b"\r\n--" + BOUNDARY + b"-x", b"\r\n--" + BOUNDARY + b"y", b"\r", b"\n",
                     b"-",
                     b"\r\n", b"a", b"\r\n--" + BOUNDARY + b"\rz", BOUNDARY]), max_size=8,
).map(b"".join)  # fmt: skip


@given(
    st.lists(st.one_of(st.binary(min_size=1, max_size=200), TRICKY), max_size=4),
    st.lists(st.integers(1, 60), max_size=60),
)
def test_files_arrive_whole_however_the_body_is_cut(files: list[bytes], cuts: list[int]) -> None:
    whole = body(*(part(f'name="file"; filename="{place}.bin"', data) for place, data in enumerate(files)))
    reader = FormReader(BOUNDARY, RULES, Sinks())
    position = 0
    for cut in [*cuts, len(whole)]:
        reader.feed(whole[position : position + cut])
        position += cut
    form = reader.close()
    assert [file.filename for file in form.files] == [f"{place}.bin" for place in range(len(files))]
    for file, data in zip(form.files, files, strict=True):
        if data:
            assert content(file) == data
        else:
            assert isinstance(file.outcome, InvalidError)


@pytest.mark.parametrize("step", [1, 2, 7, 64, 10**6])
def test_files_and_texts_in_the_order_sent(step: int) -> None:
    data = body(
        part('name="tags"', "写".encode()),
        part('name="file"; filename="a.png"', b"one", "Content-Type: image/png"),
        part('name="file"; filename="a.png"', b"two"),
        part('name="tags"', b""),
    )
    form = read(data, step=step)
    assert form.texts == [("tags", "写"), ("tags", "")]
    assert [(file.filename, content(file)) for file in form.files] == [("a.png", b"one"), ("a.png", b"two")]
    assert [file.declared_type for file in form.files] == ["image/png", ""]


def test_digests_of_a_part() -> None:
    digest = digest_of(b"one")
    form = read(
        body(
            part('name="file"; filename="a"', b"one", f"X-SHA-256: {digest}"),
            part('name="file"; filename="b"', b"one", f"Repr-Digest: sha-256=:{digest.base64}:"),
            part('name="file"; filename="c"', b"one", "Repr-Digest: sha-256=:no:"),
            part('name="file"; filename="d"', b"one"),
        )
    )
    assert [file.expected for file in form.files] == [digest, digest, None, None]
    assert isinstance(form.files[2].outcome, InvalidError)
    assert content(form.files[3]) == b"one"


def test_the_first_of_a_repeated_part_header_counts() -> None:
    form = read(body(part('name="file"; filename="a"', b"x", 'Content-Disposition: form-data; name="tags"')))
    assert [file.filename for file in form.files] == ["a"]


def test_one_files_fault_is_its_own() -> None:
    sinks = Sinks()
    form = read(
        body(
            part('name="file"; filename="big"', b"x" * 1001),
            part('name="file"; filename="empty"', b""),
            part('name="file"; filename="fine"', b"x" * 1000),
        ),
        sinks,
        step=100,
    )
    big, empty, fine = form.files
    assert isinstance(big.outcome, TooLargeError)
    assert big.outcome.details["setting"] == "CALOTYPE_MAX_UPLOAD_BYTES"
    assert isinstance(empty.outcome, InvalidError)
    assert len(content(fine)) == 1000
    assert sinks.left == 1
    form.discard()
    assert sinks.left == 0


def test_a_sink_without_room_fails_its_file() -> None:
    sinks = Sinks(fail_at=10)
    form = read(
        body(part('name="file"; filename="a"', b"x" * 50), part('name="file"; filename="b"', b"x")), sinks, step=9
    )
    assert isinstance(form.files[0].outcome, FullError)
    assert content(form.files[1]) == b"x"
    assert sinks.left == 1


def test_an_input_in_which_nothing_was_chosen_is_no_file() -> None:
    assert read(body(part('name="file"; filename=""', b"", "Content-Type: application/octet-stream"))).files == []
    assert read(body(part('name="file"; filename=""', b"x"))).files[0].filename == "file"
    assert read(body(part('name="file"', b"x"))).files[0].filename == "file"


FIRST = part('name="file"; filename="a"', b"kept until the fault")


@pytest.mark.parametrize(
    ("rest", "word"),
    [
        (b"", "closing boundary"),
        (part('name="file"; filename="b"', b"cut off")[:-5], "closing boundary"),
        (part('filename="b"', b"x"), "no name"),
        (part('name=""; filename="b"', b"x"), "no name"),
        (b"--" + BOUNDARY + b"\r\n\r\nx\r\n", "no name"),
        (b"--" + BOUNDARY + b"\r\nContent-Disposition: attachment; name=file\r\n\r\nx\r\n", "no name"),
        (part('name="colour"', b"x"), "colour"),
        (part('name="colour"; filename="x"', b"x"), "colour"),
        (part('name="tags"; filename="x"', b"x"), "file part"),
        (part('name="tags"', b"\xff"), "UTF-8"),
        (part('name="file"', b"x", "X: " + "y" * 70_000), "header"),
        (part('name="file"', b"x", *(f"X{place}: y" for place in range(20))), "header"),
        (part('name="file"', b"x", "bad header"), "cannot be read"),
    ],
)
def test_a_broken_form_leaves_nothing(rest: bytes, word: str) -> None:
    sinks = Sinks()
    with pytest.raises(InvalidError, match=word):
        read(FIRST + rest + (b"" if "closing" in word else b"--" + BOUNDARY + b"--\r\n"), sinks, step=50)
    assert sinks.made
    assert sinks.left == 0


def test_no_boundary_at_the_start() -> None:
    with pytest.raises(InvalidError):
        read(b"hello")
    with pytest.raises(InvalidError, match="closing"):
        read(b"")


def test_ten_thousand_parts() -> None:
    sinks = Sinks()
    with pytest.raises(TooLargeError, match="100 parts") as caught:
        read(body(*[part('name="file"; filename="a"', b"x")] * 10_000), sinks, step=65536)
    assert caught.value.details == {"limit": 100, "setting": "CALOTYPE_MAX_FORM_PARTS"}
    assert sinks.left == 0
    assert len(sinks.made) == 100


def test_exactly_as_many_parts_as_allowed() -> None:
    assert len(read(body(*[part('name="tags"', b"x")] * 100)).texts) == 100


def test_texts_are_bounded_each_and_together() -> None:
    with pytest.raises(TooLargeError, match="tags"):
        read(body(part('name="tags"', b"x" * (256 * 1024 + 1))), step=65536)
    with pytest.raises(TooLargeError):
        read(body(*[part('name="tags"', b"x" * 200_000)] * 3), step=65536)


def test_long_and_hostile_names() -> None:
    name = "写" * 4000 + ".png"
    form = read(
        body(part(f'name="file"; filename="{name}"', b"x"), part('name="file"; filename="../a%22\u202e.png"', b"x"))
    )
    assert form.files[0].filename.endswith(".png")
    assert len(form.files[0].filename.encode()) <= 255
    assert form.files[1].filename == 'a".png'


@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_refused_without_a_trace(noise: bytes) -> None:
    sinks = Sinks()
    try:
        read(FIRST + b"--" + BOUNDARY + noise, sinks, step=13)
    except (InvalidError, TooLargeError):
        assert sinks.left == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [(b"multipart/form-data; boundary=abc", b"abc"), (b'Multipart/Form-Data; charset=x; Boundary="a b"', b"a b")],
)
def test_boundaries(value: bytes, expected: bytes) -> None:
    assert boundary_of(value) == expected


@pytest.mark.parametrize(
    "value", [b"multipart/form-data", b"multipart/form-data; boundary=", b"x; boundary=" + b"y" * 71]
)
def test_no_usable_boundary(value: bytes) -> None:
    with pytest.raises(InvalidError, match="boundary"):
        boundary_of(value)
