"""labels.duckdb: built whole from what the store holds, checked, asked and exported."""
