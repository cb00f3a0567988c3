"""Words by which an event's name tells what it may be, beyond those that ladders and the ranking know."""

from __future__ import annotations

import re
from functools import cache

from discovery.naming import folded, words_of

_BY_ITSELF = (
    r"\$(?:feature_flag_called|web_vitals|pageleave|set|set_once|unset|identify|groupidentify|create_alias|"
    r"merge_dangerously|capture_failed|csp_violation|snapshot|opt_in|opt_out|experiment_started|plugin_.*|"
    r"merge|delete|ae_(?:updated|crashed|first_open)|is_reidentified)|page_ping|page_leave|feature_flag_(?:called|evaluated)|"
    r"experiment_(?:viewed|exposed|exposure)|(?:application|app)_(?:updated|backgrounded|crashed)|push_notification_received|"
    r"web_vitals|heart_?beat|ping"
)
_AUTOCAPTURED = (
    r"\$(?:autocapture|pageview|screen|rageclick|dead_click|mp_web_page_view|mp_click|mp_scroll|mp_page_view|"
    r"mp_(?:submit|input_change|rage_click|dead_click)|ae_session)|autocapture|(?:auto_?tracked_)?clicks?|page|screen|"
    r"\[amplitude\]_.*|(?:link|element|button)_(?:click|clicked)|page_views?|page_viewed|screen_views?|session_start"
)
_COLLABORATION = (
    r"invit\w*|teammates?|team_?mates?|colleagues?|coworkers?|collaborat\w*|mention(?:s|ed)?|einladung\w*|eingeladen|"
    r"invitad[oa]s?|invite[es]?|convid\w+|uitgenodigd\w*|zaproszon\w*"
)
_MEMBER = r"(?:.*_)?((?:member|user|seat|guest|role|permission)s?_(?:added|joined|assigned|invited|granted))(?:_.*)?"
_SHARING = (
    r"share[sd]?|sharing|assign(?:ed|s|ment)?|comment(?:s|ed)?|repl(?:y|ied|ies)|review(?:s|ed)?|approv\w*|handoff|"
    r"handed_off|compartid[oa]|geteilt|partag\w+|condivis\w+|gedeeld|kommentiert"
)
_BY_NAME_PASSIVE = (
    r"(?:.*_)?(?:delivered|received|notification_sent|reminder_sent|digest_sent|newsletter_sent|webhook_(?:sent|received)|"
    r"auto_\w+|automatically|automatic|by_system|system|cron|scheduled_run|background_(?:job|sync)|change_merged)(?:_.*)?"
)
_SIGNUP = (
    r"(?:user_|account_|workspace_|organi[sz]ation_|team_|company_)?(?:sign(?:ed)?_?up|signup|regist(?:ered|ration))"
    r"(?:_(?:completed|complete|finished|success|succeeded|submitted))?|(?:account|organi[sz]ation|workspace|company|"
    r"tenant|team)_created|(?:create|created)_(?:account|organi[sz]ation|workspace|company)|trial_started|registrierung\w*|"
    r"inscription|registro"
)

_SEEN = frozenset(("view", "viewed", "views", "open", "opened", "opens", "visit", "visited", "visits", "load"))
_SEEN |= {"loaded", "loads", "seen", "shown"}
_ANYWHERE = frozenset(("page", "pages", "screen", "screens", "home", "homepage", "website", "site", "landing", "app"))
_ANYWHERE |= {"application", "user", "web", "mobile"}


def spelled(event: str) -> str:
    """Return a name in lower case, its words joined by `_`; a leading `$` and brackets are kept."""
    mark = "$" if event.strip().startswith("$") else ""
    text = "_".join(folded(word) for word in words_of(event))
    return re.sub(r"^amplitude_", "[amplitude]_", text) if event.startswith("[Amplitude]") else mark + text


def happens_by_itself(event: str) -> bool:
    """Say whether a tool writes an event of this name without anybody doing anything."""
    return bool(_whole(_BY_ITSELF).fullmatch(spelled(event)))


def is_autocaptured(event: str) -> bool:
    """Say whether a tool writes an event of this name for every click, page or visit."""
    return bool(_whole(_AUTOCAPTURED).fullmatch(spelled(event)))


def sees_something(event: str) -> bool:
    """Say whether a name speaks of looking at one thing, as `dashboard_viewed` does and `page_viewed` does not."""
    words = set(spelled(event).split("_"))
    return bool(words & _SEEN) and bool(words - _SEEN - _ANYWHERE)


def collaboration_word(event: str) -> str | None:
    """Return the word of a name that speaks of several people, or None.

    Examples
    --------
    >>> collaboration_word("Teammate Invited"), collaboration_word("report_exported")
    ('teammate', None)
    """
    text = spelled(event)
    member = _whole(_MEMBER).fullmatch(text)
    if member:
        return member[1].replace("_", " ")
    return next((word for word in text.split("_") if _whole(_COLLABORATION).fullmatch(word)), None)


def sharing_word(event: str) -> str | None:
    """Return the word of a name that may speak of several people (sharing, assigning, commenting), or None."""
    return next((word for word in spelled(event).split("_") if _whole(_SHARING).fullmatch(word)), None)


def may_be_passive(event: str) -> bool:
    """Say whether a name may speak of something that happens to an account."""
    return bool(_whole(_BY_NAME_PASSIVE).fullmatch(spelled(event)))


def is_signup(event: str) -> bool:
    """Say whether a name speaks of the moment an account begins."""
    return bool(_whole(_SIGNUP).fullmatch(spelled(event)))


@cache
def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
