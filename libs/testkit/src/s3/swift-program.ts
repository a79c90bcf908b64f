/**
 * Swift's servers and its S3 door in one Python process over one device; its argument is a directory with `swift.conf` and
 * `proxy-server.conf`. Writes the door's port to standard output. The cache that the proxy wants is a dictionary here, so
 * that no memcached is needed.
 */
export const SWIFT_PROGRAM = `
import array, os, sys, time
from swift.common import utils

directory = sys.argv[1]
utils.set_swift_dir(directory)
utils.eventlet_monkey_patch()

import eventlet
from eventlet import wsgi
from swift.account.server import AccountController
from swift.common.http_protocol import SwiftHttpProtocol
from swift.common.ring import RingData
from swift.common.wsgi import get_hub, loadapp
from swift.container.server import ContainerController
from swift.obj.server import ObjectController

now = time.time
eventlet.hubs.use_hub(get_hub())
devices = os.path.join(directory, 'devices')
os.makedirs(os.path.join(devices, 'disk'))


class Cache:
    def __init__(self):
        self.entries = {}

    def get(self, key, **options):
        value, end = self.entries.get(key, (None, 0))
        return value if end is None or now() < end else None

    def set(self, key, value, time=0, **options):
        self.entries[key] = (value, now() + time if time else None)

    def incr(self, key, delta=1, time=0, **options):
        value = max(0, int(self.get(key) or 0) + delta)
        self.set(key, value, time=time)
        return value

    def decr(self, key, delta=1, time=0, **options):
        return self.incr(key, -delta, time)

    def delete(self, key, **options):
        self.entries.pop(key, None)


def listen():
    return eventlet.listen(('127.0.0.1', 0), backlog=1024)


def serve(socket, app):
    eventlet.spawn(wsgi.server, socket, app, utils.NullLogger(), protocol=SwiftHttpProtocol,
                   custom_pool=eventlet.GreenPool(1024), capitalize_response_headers=False)


storage = {'devices': devices, 'mount_check': 'false', 'swift_dir': directory, 'disable_fallocate': 'true',
           'fallocate_reserve': '0', 'log_name': 'storage'}
logger = utils.get_logger(storage, log_route='storage')
controllers = {'account': AccountController, 'container': ContainerController, 'object': ObjectController}
for name, controller in controllers.items():
    socket = listen()
    port = socket.getsockname()[1]
    device = {'id': 0, 'zone': 0, 'region': 1, 'ip': '127.0.0.1', 'port': port, 'device': 'disk', 'weight': 1.0,
              'meta': '', 'replication_ip': '127.0.0.1', 'replication_port': port}
    RingData([array.array('H', [0])], [device], 32).save(os.path.join(directory, name + '.ring.gz'))
    serve(socket, controller(storage, logger))

proxy = loadapp(os.path.join(directory, 'proxy-server.conf'))
cache = Cache()


def with_cache(environ, start_response):
    environ['swift.cache'] = cache
    return proxy(environ, start_response)


door = listen()
serve(door, with_cache)
print(door.getsockname()[1], flush=True)
while True:
    eventlet.sleep(3600)
`;

export interface SwiftSettings {
  readonly directory: string;
  readonly region: string;
  readonly account: string;
  readonly user: string;
  readonly key: string;
  readonly hashSuffix: string;
}

/** Files that the program reads, by name. */
export function swiftConfiguration(settings: SwiftSettings): Readonly<Record<string, string>> {
  const { directory, region, account, user, key, hashSuffix } = settings;
  return {
    'swift.conf': `[swift-hash]\nswift_hash_path_suffix = ${hashSuffix}\n`,
    'proxy-server.conf': `
[DEFAULT]
swift_dir = ${directory}
[pipeline:main]
pipeline = s3api tempauth bulk slo proxy-server
[filter:s3api]
use = egg:swift#s3api
location = ${region}
# S3 has ten times as many as Swift allows by default.
max_upload_part_num = 10000
[filter:tempauth]
use = egg:swift#tempauth
user_${account}_${user} = ${key} .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
max_manifest_segments = 10000
max_manifest_size = 16777216
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
`,
  };
}
