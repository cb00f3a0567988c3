"""From what a first look at the data found to what a spec could say, each suggestion with its reason.

Suggestions come from names, counts and times of use. Who stayed is read only to say how many accounts an outcome could
be told of, and how many of all stayed: never by what they did.
"""

from discovery.suggest.aliases import Spelling, suggested_aliases
from discovery.suggest.kinds import SeenEvent, guess_kinds
from discovery.suggest.outcome import Horizon, chosen_horizon, horizons_of, kind_choice, outcome_choice
from discovery.suggest.properties import SeenProperty, by_other_profile, property_profile
from discovery.suggest.reading import AccountColumn, Reading, is_signup, reading_choices, signup_words
from discovery.suggest.settings import (
    KINDS,
    NO_TRAIT,
    Traits,
    alias_choice,
    kind_choices,
    lacks_trait,
    motion_choice,
    settled,
    suggested_settings,
    trait_choices,
)

__all__ = [
    "KINDS",
    "NO_TRAIT",
    "AccountColumn",
    "Horizon",
    "Reading",
    "SeenEvent",
    "SeenProperty",
    "Spelling",
    "Traits",
    "alias_choice",
    "by_other_profile",
    "chosen_horizon",
    "guess_kinds",
    "horizons_of",
    "is_signup",
    "kind_choice",
    "kind_choices",
    "lacks_trait",
    "motion_choice",
    "outcome_choice",
    "property_profile",
    "reading_choices",
    "settled",
    "signup_words",
    "suggested_aliases",
    "suggested_settings",
    "trait_choices",
]
