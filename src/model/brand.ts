declare const brand: unique symbol

/** A primitive that can only be obtained from its parser, so that holding one proves it was validated. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name }
