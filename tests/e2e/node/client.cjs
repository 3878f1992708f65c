// Segment's own client for node, as its users write it. Arguments: the host, the write key, `gzip` or `plain`. Prints a line of JSON for
// every call: its type and why its delivery failed, if it did.

const { Analytics } = require('@segment/analytics-node')
const { gzipSync } = require('node:zlib')

const [host, writeKey, packing] = process.argv.slice(2)

const packed = (url, options) =>
  fetch(url, { ...options, body: gzipSync(options.body), headers: { ...options.headers, 'Content-Encoding': 'gzip' } })

const analytics = new Analytics({
  host,
  writeKey,
  // All in one request: the client sends several at once, in no order.
  flushAt: 20,
  flushInterval: 50,
  maxRetries: 1,
  ...(packing === 'gzip' ? { httpClient: packed } : {}),
})
analytics.on('error', (error) => console.log(JSON.stringify({ error: String(error) })))

const done = (error, context) =>
  console.log(JSON.stringify({ type: context.event.type, failed: error ? String(error) : null }))

analytics.track({ anonymousId: 'browser-1', event: 'cart_updated', properties: { total: 10 } }, done)
analytics.page({ anonymousId: 'browser-1', category: 'Docs', name: 'Home', properties: { url: '/' } }, done)
analytics.identify({ userId: 'ada', anonymousId: 'browser-1', traits: { email: 'ada@shop.example', plan: 'pro', topics: ['offers'] } }, done)
analytics.group({ userId: 'ada', groupId: 'team-1', traits: { seats: 3 } }, done)
analytics.screen({ userId: 'ada', name: 'Start' }, done)
analytics.track({ anonymousId: 'phone-1', event: 'cart_updated', properties: { total: 20 } }, done)
analytics.alias({ previousId: 'phone-1', userId: 'ada' }, done)
analytics.track({ userId: 'ada', event: 'order_completed', properties: { total: 80 }, timestamp: new Date() }, done)

analytics.closeAndFlush()
