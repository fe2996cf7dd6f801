"""What runs when, and the command line."""
