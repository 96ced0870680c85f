"""The outside services that the settings choose."""

from __future__ import annotations

from dataclasses import dataclass

from medonline.bootstrap.adapters import (
    build_breached_passwords,
    build_channels,
    build_identity,
    build_mail,
    build_notices,
    build_registry,
)
from medonline.bootstrap.limit_stores import build_places
from medonline.config.settings import Config
from medonline.domain.codes.channels import ChannelName
from medonline.services.limits.alarms import Alarms
from medonline.services.limits.places import Places
from medonline.services.limits.windows import LimitStore
from medonline.services.ports import (
    BreachedPasswords,
    CardRegistry,
    CodeChannel,
    IdentityProvider,
    MailChannel,
    NoticeChannel,
)


@dataclass(frozen=True, slots=True)
class Outside:
    """The adapters that the settings choose. None stands for a service that is switched off."""

    channels: dict[ChannelName, tuple[CodeChannel, ...]]
    identity: IdentityProvider | None
    registry: CardRegistry | None
    notices: NoticeChannel | None
    mail: MailChannel | None
    breached: BreachedPasswords | None
    limits: LimitStore
    places: Places

    async def close(self) -> None:
        """Release connections."""
        optional = (self.identity, self.registry, self.notices, self.mail, self.breached)
        vendors = [vendor for of_way in self.channels.values() for vendor in of_way]
        for adapter in (*vendors, *optional, self.limits, self.places):
            if adapter is not None:
                await adapter.close()


def build_outside(config: Config, alarms: Alarms, limits: LimitStore) -> Outside:
    """Build the adapters. Opens no connection yet."""
    return Outside(
        channels=build_channels(config),
        identity=build_identity(config),
        registry=build_registry(config),
        notices=build_notices(config),
        mail=build_mail(config),
        breached=build_breached_passwords(config),
        limits=limits,
        places=build_places(config, alarms),
    )
