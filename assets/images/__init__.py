"""What pictures say of themselves; the only part of Calotype that may import Pillow."""
