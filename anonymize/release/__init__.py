"""From protected tables to a public folder.

`published` is all that the code which writes a release can see; `facts` describes what else its numbers tell; `candidate` writes; `read`
reads what is out already; `publish` puts an approved candidate in place.
"""
