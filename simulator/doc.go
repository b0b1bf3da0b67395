// Package simulator is a pretend AWS on the wire: Elastic Disaster Recovery
// (DRS) as rest-json, and the parts of EC2 and STS that a recovery needs in the
// query protocol, for several accounts and regions at once.
//
// A [Fleet], read from a YAML file, says what exists. A [World] made from it
// answers HTTP requests, over sockets ([World.ServeHTTP]) or without any
// ([World.RoundTripper], for tests in a testing/synctest bubble). Any AWS client
// that is given another endpoint can talk to it.
//
// The world is a function of the fleet, a seed, and the log of mutations that it
// accepted. Time is time.Now, and nothing runs by itself: what a job has done by
// now is worked out when somebody asks. It is strict where AWS is strict, odd
// where AWS is odd, and refuses loudly what it does not implement. What goes
// wrong goes wrong by name: see [Fault].
//
// The package knows nothing of whoever talks to it, and cannot reach AWS.
package simulator
