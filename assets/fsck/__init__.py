"""Checking a store and mending it: findings, a plan made from them, and its execution."""
