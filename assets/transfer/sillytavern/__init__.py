"""The folder of SillyTavern: what lies where in it, and how it comes into a store."""
