"""From calls to linked tables, statistics and comparisons: private counts, before anything is
withheld.
"""
