"""What may be published: earlier releases, declared facts, what to withhold, and the proof by two
worlds.
"""
