import { type Fields, objects, optionalFields, optionalText } from './fields.ts'

/**
 * Devices that bear what a router's advertisement made: by one document of `ip -json -details address show` and one of
 * `ip -json route show proto ra`. Throws what `reading` catches.
 */
export function readAdvertised(links: unknown, routes: unknown): ReadonlySet<string> {
  const names = [
    ...objects(links, 'links')
      .filter(hasAdvertisedAddress)
      .map(link => optionalText(link, 'ifname')),
    ...objects(routes, 'routes').flatMap(routeDevices),
  ]
  return new Set(names.filter(name => name !== null))
}

/** The kernel says of every address it made of a prefix that temporary ones may be made of it. */
function hasAdvertisedAddress({ addr_info: addresses }: Fields): boolean {
  return listed(addresses).some(({ mngtmpaddr }) => mngtmpaddr === true)
}

/** Several routers for one prefix are one route with several hops. */
function routeDevices(route: Fields): readonly (string | null)[] {
  return [route, ...listed(route.nexthops)].map(each => optionalText(each, 'dev'))
}

/** Whoever they belong to: what is no list has nothing in it. */
function listed(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(optionalFields) : []
}
