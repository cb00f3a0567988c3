"""What a password or token looks like in an address or a connection string."""

from __future__ import annotations

import re

SETTING = re.compile(
    # A folder of a partitioned table, as in lake/account_key=5/, is no setting.
    r"(?<![\w/\\])(?!^\w*key=[^/\\\s&;]*[/\\])"
    r"(\w*(?:password|passwd|pwd|pass|token|secret|key|signature)=)(?:'[^']*'|\"[^\"]*\"|[^\s&;,'\"]+)",
    re.IGNORECASE,
)
"""A setting that holds a secret; the first group is all but the secret."""

LOGIN = re.compile(r"(?<![\w.+/\\-])([a-zA-Z][\w.+-]+:(?://?)?)(?:[^\s/@:\\]*:[^\s@]*|(?<!/)[^\s/@:\\]+)@")
"""A user, or a user and a password, after a scheme; the first group is the scheme."""


def holds_secret(source: str) -> bool:
    """Say whether a path or an address holds a password or token.

    Examples
    --------
    >>> holds_secret("jdbc:postgresql://db/crm?user=ann&password=s3cret"), holds_secret("lake/account_key=5/e.parquet")
    (True, False)
    """
    return bool(_LOGIN_ANYWHERE.search(source) or SETTING.search(source))


_LOGIN_ANYWHERE = re.compile(r"://[^/@]*:[^/@]*@|^(?:jdbc:)?[a-zA-Z][\w.+-]+:[^/\\@]*:[^@]*@")
