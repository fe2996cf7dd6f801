"""Units of work and what finished ones leave: manifests, data sets, a ledger, local or on S3."""
