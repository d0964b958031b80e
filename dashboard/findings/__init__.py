"""What the numbers say: answers, claims, targets, comparisons, coverage, quarters. Sentences with
their figures.
"""
