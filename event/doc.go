// Package event is how the world speaks to Muster: action events in JSON go
// in, and JSON answers come out.
//
// A state machine puts our answer in the place of its whole state, so what we
// drop is lost for ever. Therefore a state is read typed and written by
// patching its bytes: whatever we do not own goes back exactly as it came.
// Nothing that somebody else wrote is ever marshalled again.
package event
