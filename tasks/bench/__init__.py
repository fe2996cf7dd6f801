"""What this machine does, measured: one bench a module, with its table for people."""
