package recovery

import "fmt"

// A gate holds a wave back that could start, until it is passed. What gates there
// are is said here: what they ask, and what of the wave's record says that one was
// passed.

// GateID is the id of a wave's gate: known from the beginning, so that it can
// be answered ahead.
func GateID(wave int) QuestionID { return QuestionID(fmt.Sprintf("gate-w%d", wave)) }

// gated says whether the wave has a gate, passed or not.
func (w *WaveRecord) gated() bool { return w.PauseBefore }

// gate is what the wave's gate asks; nil where it has none, or that was passed.
func (w *WaveRecord) gate() *Question {
	if !w.PauseBefore || w.GatePassed {
		return nil
	}
	return &Question{ID: GateID(w.Number), Reason: PauseBeforeWave, Wave: new(w.Number), Choices: PauseBeforeWave.Choices(),
		Text: fmt.Sprintf("wave %d (%s) waits for approval", w.Number, Quote(w.Name))}
}

// pass has the wave start once it is ready.
func (w *WaveRecord) pass() { w.GatePassed = true }
