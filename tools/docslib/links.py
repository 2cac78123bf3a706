"""Links inside of the tree: the file is there, the anchor too; and every page is linked from one."""
import os


def _target(root, page, link):
    """(file, anchor) that an internal link means; None for one that leaves the tree."""
    if "://" in link or link.startswith("mailto:"):
        return None
    path, _, anchor = link.partition("#")
    file = os.path.normpath(page.path.parent / path) if path else str(page.path)
    return (file, anchor) if file.startswith(str(root)) else (None, anchor)


def _fault(root, by_file, page, link):
    target = _target(root, page, link)
    if not target:
        return None
    file, anchor = target
    if not file or not os.path.exists(file):
        return f"the link to {link} is dead: there is no such file"
    if anchor and file in by_file and anchor not in by_file[file].anchors():
        return f"the link to {link} is dead: there is no such heading"
    return None


def check(root, tree):
    by_file = {str(page.path): page for page in tree}
    linked = {str(root / "README.md")}
    for page in tree:
        for number, link in page.links():
            target = _target(root, page, link)
            if target and target[0] != str(page.path):
                linked.add(target[0])
            fault = _fault(root, by_file, page, link)
            if fault:
                yield page.name, number, fault
    for page in tree:
        if page.name.startswith("docs/") and str(page.path) not in linked:
            yield page.name, 1, "no other page links to this one"
