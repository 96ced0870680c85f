"""What the last four digits of a number mean at both vendors of SMS, whether the text is a code or a notice."""

from medonline.domain.errors import (
    DeliveryFailed,
    NumberNotReachable,
    NumberRefused,
    OutOfMoney,
    ProviderDown,
    ProviderRefused,
)

REFUSED: tuple[tuple[str, type[DeliveryFailed]], ...] = (
    ("0002", OutOfMoney),
    ("0003", ProviderDown),
    ("0005", NumberRefused),
    ("0009", NumberNotReachable),
    ("0010", NumberNotReachable),
    ("0012", NumberRefused),
    ("0014", ProviderDown),
    ("0016", ProviderRefused),
)
