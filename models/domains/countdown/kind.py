"""What `countdown` can do besides what every domain can."""

from pav.models.domains.countdown.domain import Countdown, fault
from pav.models.domains.countdown.embedded import EmbeddedHands
from pav.models.domains.countdown.lessons import CountdownLessons
from pav.models.domains.kind import DomainKind

COUNTDOWN = DomainKind(
    make=Countdown,
    solver=lambda countdown: fault,
    embedded=EmbeddedHands,
    lessons=CountdownLessons,
)
