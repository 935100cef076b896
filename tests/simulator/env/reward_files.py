"""Reward functions as racers write them: what the field's documentation describes, and what its community does."""

CENTRE_LINE = """
def reward_function(params):
    '''More reward the nearer the car is to the centre line, in three bands.'''
    width, off = params['track_width'], params['distance_from_center']
    for share, reward in ((0.1, 1.0), (0.25, 0.5), (0.5, 0.1)):
        if off <= share * width:
            return float(reward)
    return 1e-3
"""

INSIDE_THE_BORDERS = """
def reward_function(params):
    room = 0.5 * params['track_width'] - params['distance_from_center']
    return 1.0 if params['all_wheels_on_track'] and room >= 0.05 else 1e-3
"""

NO_ZIGZAG = """
def reward_function(params):
    reward = 1.0 if params['distance_from_center'] <= 0.25 * params['track_width'] else 0.3
    if abs(params['steering_angle']) > 15:
        reward *= 0.8
    return float(reward)
"""

ALONG_THE_WAYPOINTS = """
import math

def reward_function(params):
    '''Less reward where the car's heading differs from the direction of the road.'''
    behind, ahead = (params['waypoints'][i] for i in params['closest_waypoints'])
    road = math.degrees(math.atan2(ahead[1] - behind[1], ahead[0] - behind[0]))
    off = abs(road - params['heading'])
    off = 360 - off if off > 180 else off
    return 0.5 if off > 10.0 else 1.0
"""

SELF_MOTIVATED = """
def reward_function(params):
    if params['all_wheels_on_track'] and params['steps'] > 0:
        return params['progress'] / params['steps'] * 100 + params['speed'] ** 2
    return 0.01
"""

RACING_LINE = """
import math
import numpy as np

class Reward:
    '''Remembers the step before, as the community's racing line rewards do.'''
    def __init__(self):
        self.previous = None
        self.line = np.array([[0.0, 0.0], [1.0, 0.5], [2.0, 1.0]])

    def reward_function(self, params):
        here = (params['x'], params['y'])
        nearest = np.min(np.hypot(*(self.line - here).T))
        gained = 0.0 if self.previous is None else params['progress'] - self.previous
        self.previous = params['progress']
        print('gained', gained)
        return np.float32(max(1e-3, gained + math.exp(-nearest)))

reward_object = Reward()

def reward_function(params):
    return reward_object.reward_function(params)
"""

BOXES = """
def reward_function(params):
    '''Written for object avoidance: it must also run where there are no objects.'''
    here, ahead = params['closest_objects']
    lanes = params['objects_left_of_center']
    blocked = bool(lanes) and lanes[ahead] == params['is_left_of_center'] and params['object_in_camera']
    speeds = sum(params['objects_speed']) + sum(params['objects_heading']) + sum(params['objects_distance_from_center'])
    if params['is_crashed'] or params['is_offtrack'] or params['is_reversed'] and blocked:
        return 1e-3
    return 1.0 + speeds + len(params['objects_distance']) + params['sim_time'] * 0 + params['projection_distance'] * 0
"""

ALL = {
    "centre line": CENTRE_LINE,
    "inside the borders": INSIDE_THE_BORDERS,
    "no zigzag": NO_ZIGZAG,
    "along the waypoints": ALONG_THE_WAYPOINTS,
    "self-motivated": SELF_MOTIVATED,
    "racing line": RACING_LINE,
    "boxes": BOXES,
}
