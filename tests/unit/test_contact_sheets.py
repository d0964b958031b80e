"""Sheets of pictures: nothing of a page is lost, and each piece stands in its own place."""

from PIL import Image, ImageColor

from tools.contact_sheets import GAP, GREY, columns, named, sheets, write_sheets

COLOURS = ("red", "lime", "blue", "white", "black")


def plain(colour, size=(390, 900)):
    return Image.new("RGB", size, colour)


def test_a_long_page_becomes_columns_without_loss():
    page = Image.new("RGB", (100, 250))
    for y in range(250):
        page.putpixel((0, y), (y, 0, 0))
    pieces = list(columns([page], 100, 120))
    assert [piece.height for piece in pieces] == [120, 120, 10]
    assert [p.getpixel((0, y))[0] for p in pieces for y in range(p.height)] == list(range(250))
    (half,) = columns([page], 50, 999)
    assert half.size == (50, 125)


def test_each_piece_has_its_place_on_a_sheet():
    first, second = sheets([plain(c, (40, 30)) for c in COLOURS], 2, 2, 30)
    assert first.size == (80 + GAP, 60 + GAP)
    assert second.size == (80 + GAP, 30)
    places = [(0, 0), (40 + GAP, 0), (0, 30 + GAP), (40 + GAP, 30 + GAP)]
    seen = [first.getpixel(place) for place in places]
    assert seen == [ImageColor.getrgb(colour) for colour in COLOURS[:4]]
    assert second.getpixel((0, 0)) == ImageColor.getrgb("black")
    assert second.getpixel((79, 0)) == GREY


def test_a_folder_of_pages_gets_both_kinds(tmp_path):
    folder = tmp_path / "made_up-390-en-light"
    folder.mkdir()
    for name in ("calls", "money"):
        plain("white").save(folder / f"{name}.png")
    write_sheets(folder, 390)
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == [
        "made_up-390-en-light-read-1.png",
        "made_up-390-en-light.webp",
    ]
    assert named(plain("white"), "calls").getpixel((389, 0)) == GREY
