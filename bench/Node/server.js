// The endpoints of the bench with express-session, its sessions in Redis by connect-redis: node server.js PORT REDIS.
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import { createClient } from 'redis'

// Express asks for it when an application is made; it is what its documentation advises for speed.
process.env.NODE_ENV = 'production'

const [port, address] = process.argv.slice(2)
// As long as ASP.NET Core's and SessionActors' sessions live.
const idleTimeoutSeconds = 20 * 60
const client = await createClient({ url: `redis://${address}` }).connect()
let written = 0

const app = express()
app.get('/', (request, response) => { response.send('here') })
app.use(session({
  store: new RedisStore({ client, prefix: 'express:', ttl: idleTimeoutSeconds }),
  secret: 'of the bench',
  resave: false,
  saveUninitialized: false
}))
app.get('/none', (request, response) => { response.send('none') })
app.get('/read', (request, response) => { response.send(request.session.value ?? '-') })
app.get('/write', (request, response) => {
  request.session.value = String(++written).padStart(12, '0')
  response.send(request.session.value)
})
app.listen(Number(port), '127.0.0.1')
