"""Charts and maps: colours, drawing, and the kinds of figures that pages are lists of."""
