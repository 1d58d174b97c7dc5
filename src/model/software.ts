import manifest from '../../package.json' with { type: 'json' }

/** The version of lnet, as announced and shown. One place: package.json. */
export const software: string = manifest.version
