/** What the API's parts ask for that is no class: Nest's injection tokens. */
export const CLOCK = Symbol('Clock');
export const SETTINGS = Symbol('ControllerSettings');
export const WINDOWS = Symbol('WindowReader or undefined');
export const PRODUCER = Symbol('BusProducer');
export const TOPIC_NAMES = Symbol('TopicNames');
