package recovery

import "slices"

// Launched lists the servers that the execution's jobs launched, of every
// wave, with the instance and the job of each.
func (e *Execution) Launched() []ServerOutcome {
	var all []ServerOutcome
	for i := range e.Attempts {
		for _, o := range e.Attempts[i].Outcomes {
			if o.Launched() {
				all = append(all, o)
			}
		}
	}
	return all
}

// Removable picks, of the recovery instances that exist, those that the
// execution's own jobs launched and that are still there, those that are being
// shut down among them; never one of another job, and never one whose kind is
// not the execution's.
func (e *Execution) Removable(exist []RecoveryInstance) []RecoveryInstance {
	launched := e.Launched()
	var ours []RecoveryInstance
	for _, i := range exist {
		gone := i.EC2State == "TERMINATED" || i.EC2State == "NOT_FOUND"
		if gone || i.JobID == "" || i.Drill != (e.Type == Drill) {
			continue
		}
		if slices.ContainsFunc(launched, func(o ServerOutcome) bool { return o.Server == i.Server && o.JobID == i.JobID }) {
			ours = append(ours, i)
		}
	}
	return ours
}

// Holds says whether the execution is under way with the server.
func (e *Execution) Holds(id SourceServerID) bool {
	if e.Ended != nil {
		return false
	}
	return slices.ContainsFunc(e.Attempts, func(a Attempt) bool {
		return slices.Contains(a.Servers, id) && a.State != Refused && a.State != Planned && !(a.State == Started && a.JobOver && e.Waves == nil)
	})
}
