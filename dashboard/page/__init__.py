"""What a page is, whoever shows it: the surface it writes on, its parts in order, the list of all
pages, and what was written already.
"""
