"""From protected tables to a public folder.

`published`: everything that the code which writes a release can see. `facts`: descriptions of what
else its numbers say. `candidate`: writes. `read`: reads earlier releases. `seal`: signs a
candidate. `publish`: puts an approved candidate in place.
"""
