"""The instances: one a zone in turn, so that the writer and the first reader never share one."""

from tap_api.regions import zones
from tap_stack import aws, names
from tap_stack.database import monitoring
from tap_stack.database.scope import CLUSTER, ENGINE, Database
from tap_stack.managed import Handling
from tap_stack.resource import Resources
from tap_stack.values import Ref

PREFIX = "instance-"
#: The last tier to be promoted.
LAST_TIER = 15


def resources(database: Database) -> Resources:
    """Yields the instances.

    A key carries the zone, which AWS cannot change, and the turn: `instance-a-1`, `instance-b-1`, `instance-a-2`. So
    another zone or fewer instances add and remove some, and replace none in place.
    """
    subject = database.subject
    names_of_zones = zones(subject.region, subject.spec.zones)
    for i in range(database.spec.instances):
        zone = names_of_zones[i % len(names_of_zones)]
        which = f"{zone.removeprefix(subject.region)}-{i // len(names_of_zones) + 1}"
        yield database.make(
            f"{PREFIX}{which}",
            aws.DB_INSTANCE,
            {
                "clusterIdentifierRef": Ref(CLUSTER),
                "engine": ENGINE,
                "instanceClass": "db.serverless",
                "availabilityZone": zone,
                # Readers of tiers 0 and 1 keep up with the writer's capacity; the others scale by themselves.
                "promotionTier": min(i, LAST_TIER),
                "publiclyAccessible": False,
                "monitoringInterval": database.spec.monitoring_seconds,
                "monitoringRoleArnRef": Ref(monitoring.ROLE),
                # Members of a global database are upgraded by it (see global_cluster).
                "autoMinorVersionUpgrade": not database.spec.global_,
                "applyImmediately": True,
            },
            external_name=f"{names.cluster_instances(subject)}-{which}",
            # AWS takes no instance before its cluster, and checks what the role may do.
            handling=Handling(after=(CLUSTER, monitoring.ROLE_POLICY)),
        )


def writes(database: Database) -> bool:
    """Returns whether an instance of the database is up and writes."""
    for key, observation in database.subject.observed.items():
        ready = observation.condition("Ready")
        up = ready is not None and ready.status == "True"
        if key.startswith(PREFIX) and up and observation.field("status", "atProvider", "writer") is True:
            return True
    return False
