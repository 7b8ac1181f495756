"""One module a table: rows in the order of their cost, cut to the costliest ones."""
