"""Read an export as far as its blocks, which is quick enough for hundreds of damaged files."""

from drp.plates.pages import Source, open_source
from drp.plates.readers import choose_reader
from drp.plates.values import looks_like_number, read_status
from drp.problems import Problems


def read_blocks(source):
    """Give the blocks of a source or a file, and the codes of all errors."""
    found = Problems()
    if not isinstance(source, Source):
        source = open_source(source, "plate", found)
    reader = choose_reader(source, "auto", found) if source else None
    blocks = reader.read(source, found) if reader else []
    for block in blocks:
        found.extend(block.faults)
    codes = [problem.code for problem in found.errors]
    # What the table of readings would say as well.
    keys = [(block.plate_index, block.read) for block in blocks]
    if len(set(keys)) < len(keys):
        codes.append("plate.duplicate-block")
    texts = {reading.text for block in blocks for reading in block.readings}
    if any(not looks_like_number(text) and read_status(text) is None for text in texts):
        codes.append("plate.unknown-token")
    return blocks, codes
