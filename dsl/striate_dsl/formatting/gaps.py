"""What stands between two tokens and is no token: line breaks, empty lines, comments."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

_BLANKS = " \t\r"


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment from its `#` on, and its column in the text (0-based).

    `blank`: an empty line stands before it. `follows`: it goes on in the column of the comment in the line above.
    """

    text: str
    column: int
    blank: bool = False
    follows: bool = False


@dataclass(slots=True)
class Gap:
    """The gap before a token, where it holds more than blanks.

    `trailing` stands behind the token before, `own` are lines of their own. `blank`: an empty line stands right before
    the token.
    """

    broken: bool = False
    blank: bool = False
    trailing: Comment | None = None
    own: list[Comment] = field(default_factory=list)

    @property
    def has_comments(self) -> bool:
        return self.trailing is not None or bool(self.own)

    def take(self, later: Gap) -> None:
        """Add what stands in a later gap; a comment that can no longer trail gets a line of its own."""
        self.broken |= later.broken
        self.blank |= later.blank
        if later.trailing is None:
            self.own += later.own
        elif not self.has_comments:
            self.trailing, self.own = later.trailing, later.own
        else:
            self.own += [replace(each, follows=False) for each in (later.trailing, *later.own)]


def read_gap(between: str, column: int, *, first: bool) -> Gap:
    """Return what stands in the text between two tokens that begins in a column.

    Nothing trails in the `first` gap of a file.
    """
    gap = Gap(broken="\n" in between)
    parts = between.split("\n")
    above: Comment | None = None
    for number, part in enumerate(parts):
        at = part.find("#")
        if at != -1:
            place = at if number else column + at
            follows = above is not None and above.column == place and (above.follows or above is gap.trailing)
            comment = Comment(part[at:].rstrip(_BLANKS), place, gap.blank, follows)
            if number or first:
                gap.own.append(comment)
            else:
                gap.trailing = comment
            above, gap.blank = comment, False
        elif number and number < len(parts) - 1:
            above = None
            gap.blank = gap.blank or not part.strip(_BLANKS)
    return gap
