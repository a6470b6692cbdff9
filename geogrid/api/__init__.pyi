# The public names; the package loads them lazily from this list.
from .app import create_app as create_app
from .oidc import read_oidc_settings as read_oidc_settings
from .serving import serve as serve
from .settings import ServiceSettings as ServiceSettings
from .startup import first_account as first_account
from .startup import import_plan as import_plan
