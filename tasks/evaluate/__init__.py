"""Stage `evaluate`: the arms of test-time search on validation and on test problems."""
