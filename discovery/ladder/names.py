"""What an event's name says about its place on a ladder: mere presence, set-up, failure, or nothing in particular.

Names only ever suggest. A kind that the user gives an event overrides all of this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from discovery.naming import folded, words_of

_WHOSE = r"(?:(?:user|web|mobile|desktop|ios|android|browser|amplitude|new|first|the)_)*"
_SEEN = r"(?:views?|viewed|opens?|opened|visits?|visited|loads?|loaded|seen|shown)"
_PLACE = r"(?:page|screen|dashboard|home|homepage|list|site|website|landing)s?"
_PRESENCE = (
    rf"{_WHOSE}log_?(?:ged_)?(?:in|on)s?(?:_.*)?|.*_log_?(?:ged_)?(?:in|on)s?|sign(?:ed)?_?in(?:_.*)?|.*_sign(?:ed)?_?in",
    rf"{_WHOSE}(?:app_)?sessions?_(?:start|starts|started|begin|began|begun|open|opened|resume|resumed|end|ended)",
    rf"{_WHOSE}(?:start|started|starting|begin|end|new)_session|session",
    r"(?:.*_)?app_(?:open|opens|opened|launch|launched|start|started|load|loaded|foreground|foregrounded)|first_open",
    rf"{_WHOSE}application_(?:open|opened|launch|launched|load|loaded|foregrounded)|open(?:ed)?_(?:.*_)?app",
    rf"(?:.*_)?{_PLACE}_{_SEEN}(?:_.*)?|(?:view|viewed|visit|visited)_(?:.*_)?{_PLACE}|pageviews?|screenviews?",
    r"heart_?beats?|ping|pings|active|user_active|user_engagement|first_visit|visit|visited|identify|group_?identify",
    r"anmeldung|angemeldet|eingeloggt|connexion|connecte|inici(?:o|ar)_(?:de_)?sesion|sesion_iniciada|acceso|"
    r"login_efetuado|sessao_iniciada|acesso|seite_(?:aufgerufen|angesehen|besucht)|page_(?:vue|visitee)|"
    r"pagina_(?:vista|visitada)|inloggad|ingelogd|zalogowano|giris_yapildi|вход|вошел|ログイン|登录|登入|로그인",
)
"""Being there and looking around (logins measure interest, activation measures value)."""

_LOOKING = (
    r"(?:.*_)?(?:view(?:ed|s)?|open(?:ed|s)?|visit(?:ed|s)?|clicks?|clicked|hover\w*|scroll\w*|impressions?|seen|shown|"
    r"displayed|tours?|walkthrough|watched)(?:_.*)?"
)
_NOT_LOOKING = (
    r"(?:.*_)?one_click(?:_.*)?|(?:.*_)?click_(?:up|house|funnels|to|dimensions?)(?:_.*)?",
    r"(?:.*_)?(?:tickets?|issues?|cases?|requests?|accounts?|deals?|opportunity|positions?|jobs?|incidents?|changes?|"
    r"threads?|conversations?|claims?|orders?|trades?|disputes?|branch|vacancy)_opened(?:_.*)?",
    rf"(?:.*_)?{_SEEN}_by_(?!user|me|self|owner|admin|member).*",
)
"""Product names, `opened` in the sense of `created`, and what somebody else has come to see."""

_SETUP = (
    r"(?:.*_)?(?:sign_?up|signed_up|regist(?:er\w*|ration\w*|r\w+)|onboard\w*|set_?up|install(?:s|ed|ing|ation)?|verif\w+|"
    r"confirm\w*_email|email_confirm\w*|invit\w+|connect\w*|integrat\w*|config\w*|import(?:s|ed|ing|er)?|api_key|"
    r"account_created|workspace_created|project_created|profile|enabled|settings?|preferences?|permissions?|role|roles|"
    r"template|checklist|einladung\w*|eingeladen|verbunden|eingerichtet|importiert|conectad[oa]|importad[oa])(?:_.*)?"
)

_FAILURE = (
    r"(?:.*_)?(?:fail(?!over)\w*|errors?|errored|exceptions?|crash\w*|time_?outs?|timed_out|denied|reject\w*|bounc(?:e|es|ed)|"
    r"declin\w*|abort\w*|invalid|unauthori[sz]ed|forbidden|disconnect\w*|unreachable|conflict\w*|blocked|broken|"
    r"expired|stuck|rage|fehler\w*|fehlgeschlagen|abgelehnt|abgebrochen|erreur\w*|echec\w*|echoue\w*|fallos?|fall(?:id|ad)[oa]|"
    r"falha\w*|falhou|erro|erros|errore|errori|fallit[oa]|fout|fouten|mislukt|blad|nieudan[aey]|misslyckad\w*|fejl\w*|"
    r"mislykket|basarisiz|hata|ошибка|сбои|неудач\w*|не_удалось)(?:_.*)?",
    r".*(?:エラー|失敗|失败|错误|錯誤|오류|실패).*",
)
_NO_FAILURE = (
    r"(?:.*_)?(?:no|zero|without|0)_(?:errors?|fail\w*|exceptions?|conflicts?|crash\w*)(?:_.*)?",
    r"(?:.*_)?(?:bounce_rate|time_blocked|calendar_blocked|block_time)(?:_.*)?",
    r"(?:resolve|fix|handle|clear|prevent)_.*",
    r"(?:.*_)?(?:sessions?|trial|idle|inactiv\w*|login|tokens?)_(?:expired|time_?outs?|timed_out)(?:_.*)?",
)
"""Among them what says that use has ended: that is stopping itself, and nothing that went wrong before it."""

_DID = (
    "created|added|built|published|configured|customi[sz]ed|enabled|shared|sent|exported|booked|scheduled|saved|deleted|"
    "updated|edited|renamed|resolved|fixed|recovered|solved|cleared|handled|closed|merged|assigned|invited|connected|"
    "deployed|signed|reviewed|approved|embedded|duplicated|posted|downloaded"
)
_DO = (
    "create|add|build|publish|configure|customi[sz]e|enable|share|send|export|book|schedule|save|edit|resolve|fix|close"
)
_DONE = (
    rf"(?:.*_)?(?!(?:errors?|exceptions?|crash|failures?)_(?:created|added)$)[^_]+_(?:{_DID})"
    r"(?:_(?:by|to|via|from|with|in|for)_.*)?"
)
"""Something was done to what the rest of the name speaks of, as in `login_page_customized` or `conflict_resolved`."""
_TO_DO = rf"(?:{_DO})_(?:.*_)?(?!(?:clicks?|clicked|viewed|opened|seen|shown|displayed)$)[^_]+"
"""The same as a command, as in `create_view`."""

_GENERAL = (
    "events?|actions?|activity|activities|interactions?|track|tracked|clicks?|clicked|custom|api|requests?|call|log|entry|"
    r"other|misc|unknown|test|undefined|null|none|update|updated|change|changed|button|element|autocapture|\d+"
)
_GENERIC = (rf"(?:{_GENERAL}|(?:custom|test)events?)(?:_(?:{_GENERAL}))*",)


def is_presence(event: str) -> bool:
    """Say whether a name speaks of being there rather than of doing something.

    Examples
    --------
    >>> is_presence("Session Started"), is_presence("dashboard_viewed"), is_presence("report_shared")
    (True, True, False)
    """
    spelled = _spelled(event)
    return _matches(_PRESENCE, spelled) and not _matches((_DONE, _TO_DO, *_NOT_LOOKING), spelled)


def is_looking(event: str) -> bool:
    """Say whether a name speaks of looking, opening or clicking.

    Examples
    --------
    >>> is_looking("Invoice Viewed"), is_looking("invoice_viewed_by_client"), is_looking("view_created")
    (True, False, False)
    """
    spelled = _spelled(event)
    return _matches((*_PRESENCE, _LOOKING), spelled) and not _matches((_DONE, _TO_DO, *_NOT_LOOKING), spelled)


def is_setup(event: str) -> bool:
    """Say whether a name speaks of setting something up."""
    return _matches((_SETUP,), _spelled(event))


def is_failure(event: str) -> bool:
    """Say whether a name speaks of something that failed.

    Examples
    --------
    >>> is_failure("syncFailed"), is_failure("payment_timeout"), is_failure("conflict_resolved")
    (True, True, False)
    """
    spelled = _spelled(event)
    return _matches(_FAILURE, spelled) and not _matches((_DONE, *_NO_FAILURE), spelled)


def is_generic(event: str) -> bool:
    """Say whether a name could stand for anything.

    Examples
    --------
    >>> is_generic("custom_event"), is_generic("task_updated")
    (True, False)
    """
    return _matches(_GENERIC, _spelled(event))


def _spelled(event: str) -> str:
    return "_".join(folded(word) for word in words_of(event))


def _matches(patterns: Iterable[str], spelled: str) -> bool:
    return any(_compiled(pattern).fullmatch(spelled) for pattern in patterns)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
