"""What is measured: one definition for each measure, cells of published tables, and the statistics
of them.
"""
