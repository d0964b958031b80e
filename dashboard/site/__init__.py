"""What looks over all pages at once: search, previews of links, the story of a release, the static
edition.
"""
