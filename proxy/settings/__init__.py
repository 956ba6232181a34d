"""The configuration: a YAML file becomes frozen models, or a list of all that is wrong with it.

Start at `load.py` (file to settings) and `build.py` (settings to the plain
values of `proxy.model.route`). pydantic and PyYAML are imported here and
nowhere else. No value of the file is ever repeated in a message: what stands
there may be a credential.
"""
