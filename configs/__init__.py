"""The shipped configs, read as package data."""
