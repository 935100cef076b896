"""The names of the two ways to make the policy's picture (`model.profile`); importing them loads no OpenCV."""

from typing import Final, Literal, get_args

ProfileName = Literal["grey-area", "deepracer-car"]
PROFILE_NAMES: Final[tuple[ProfileName, ...]] = get_args(ProfileName)
