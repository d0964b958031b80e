"""Places: area systems and their trees, boundary files, what maps show besides areas."""
