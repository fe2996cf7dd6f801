"""Solutions and step labels made elsewhere: read, labelled as they are, imported, exported."""
