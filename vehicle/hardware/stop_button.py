"""The emergency button on a header pin, with a normally-closed contact to ground: pressing it stops the car.

The pin has an internal pull-up. While the contact is closed the pin is low; a pressed button, a broken wire and a loose
plug all let it go high. The guard's loop reads the level in each pass; a shorter opening is latched until then.
"""

import importlib

from gpiozero import DigitalInputDevice
from gpiozero.pins import Factory

from shared.errors import HardwareMissing

OPEN = "The emergency button is pressed, or its wire is broken: release it, then reset the car."
FACTORIES = {"lgpio": "LGPIOFactory", "rpigpio": "RPiGPIOFactory", "pigpio": "PiGPIOFactory"}


class StopButton:
    """The button at GPIO `pin`, which it reserves when built. Raises HardwareMissing if the pin cannot be read."""

    def __init__(self, pin: int, library: str = "lgpio", factory: Factory | None = None) -> None:
        self._pin = pin
        self._opened = False
        pin_factory = factory if factory is not None else _factory(library)
        try:
            self._contact = DigitalInputDevice(pin, pull_up=True, pin_factory=pin_factory)
        except Exception as error:  # each pin library has errors of its own kind: lgpio.error, pigpio.error
            if factory is None:
                pin_factory.close()  # it is retried, and each attempt would leak a handle
            raise HardwareMissing(
                f"GPIO{pin} cannot be read ({error}): is the pin of the emergency button free?"
            ) from None
        self._contact.when_deactivated = self._on_opened

    def reason(self) -> str:
        """Why the car must stop now; '' while the contact is closed. A contact that opened briefly counts."""
        opened, self._opened = self._opened, False
        try:
            closed = bool(self._contact.is_active)
        except Exception as error:  # whatever it is: a button that cannot be read counts as open
            return f"The emergency button at GPIO{self._pin} cannot be read ({error})."
        return OPEN if opened or not closed else ""

    def close(self) -> None:
        """Release the pin; idempotent."""
        self._contact.close()

    def _on_opened(self) -> None:
        """On the pin library's thread."""
        self._opened = True


def _factory(library: str) -> Factory:
    try:
        module = importlib.import_module(f"gpiozero.pins.{library}")
        factory: Factory = getattr(module, FACTORIES[library])()
    except Exception as error:  # no library, no chip, no daemon: each has errors of its own kind
        raise HardwareMissing(
            f"the emergency button needs gpiozero on {library} ({error}): install it, or choose another library."
        ) from None
    return factory
