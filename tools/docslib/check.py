"""All that is looked at without servers."""
from . import blocks, generated, links, messages, pages, prometheus, words


def _faults(root, program):
    tree = pages.all_pages(root)
    for page in tree:
        yield from ((page.name, number, fault) for number, fault in page.faults)
    yield from links.check(root, tree)
    yield from generated.check(root, program)
    yield from words.check(root, program, tree)
    yield from blocks.check(root, tree)
    yield from prometheus.check(root)
    yield from messages.check(root)


def faults(root, program):
    """["docs/load.md:7: what is wrong"]; program: path of caes-sync."""
    return [f"{name}:{line}: {fault}" for name, line, fault in sorted(set(_faults(root, program)))]
