"""Everything that touches the world: store, engines, database, training, reports."""
