package simulator

import (
	"sort"
	"strconv"
	"time"
)

// job is a job of DRS. What it was at any moment can be told afterwards: lists lag.
type job struct {
	id        string
	kind      string // LAUNCH or TERMINATE
	initiator string
	created   time.Time
	started   time.Time // zero while it has not
	ended     time.Time // zero while it has not
	tags      map[string]string
	servers   []participant
	log       []logItem
}

// participant is a server in a job.
type participant struct {
	server  *server
	history []change // by time; before the first one it is PENDING
	gone    time.Time
}

type change struct {
	at       time.Time
	status   string
	instance string
}

type logItem struct {
	at    time.Time
	event string
	data  map[string]any
}

const busy = "One or more of the Source Servers included in API call are currently being processed by a Job"

func (h *handling) newJob(id, kind, initiator string, tags map[string]string) *job {
	j := &job{id: id, kind: kind, initiator: initiator, created: h.now, tags: map[string]string{}}
	for k, v := range tags {
		j.tags[k] = v
	}
	h.jobs = append(h.jobs, j)
	return j
}

// takes puts a server under a job: until the job is over no other may have it.
func (h *handling) takes(j *job, s *server) {
	s.running = j
	j.servers = append(j.servers, participant{server: s})
}

func (j *job) begins(at time.Time) {
	j.started = at
	j.note(at, "JOB_START", nil)
}

func (r *region) ends(j *job, at time.Time) {
	j.ended = at
	j.note(at, "JOB_END", nil)
	for _, s := range r.servers {
		if s.running == j {
			s.running = nil
		}
	}
}

func (j *job) note(at time.Time, event string, data map[string]any) {
	j.log = append(j.log, logItem{at, event, data})
}

func (p *participant) becomes(at time.Time, status, instance string) {
	p.history = append(p.history, change{at, status, instance})
}

func (j *job) statusAt(t time.Time) string {
	switch {
	case !j.ended.IsZero() && !j.ended.After(t):
		return "COMPLETED"
	case !j.started.IsZero() && !j.started.After(t):
		return "STARTED"
	}
	return "PENDING"
}

// showJob is the job as it was at a moment.
func (r *region) showJob(j *job, t time.Time) map[string]any {
	servers := []any{}
	for _, p := range j.servers {
		if !p.gone.IsZero() && !p.gone.After(t) {
			continue
		}
		shown := map[string]any{"sourceServerID": p.server.ID, "launchStatus": "PENDING"}
		i := sort.Search(len(p.history), func(i int) bool { return p.history[i].at.After(t) })
		if i > 0 {
			c := p.history[i-1]
			shown["launchStatus"] = c.status
			if c.instance != "" {
				shown["recoveryInstanceID"] = c.instance
			}
		}
		servers = append(servers, shown)
	}
	out := map[string]any{
		"jobID":                j.id,
		"arn":                  r.arn("job", j.id),
		"type":                 j.kind,
		"initiatedBy":          j.initiator,
		"creationDateTime":     stamp(j.created),
		"status":               j.statusAt(t),
		"participatingServers": servers,
		"tags":                 j.tags,
	}
	if out["status"] == "COMPLETED" {
		out["endDateTime"] = stamp(j.ended)
	}
	return out
}

// withinQuotas refuses a job for so many servers that DRS's quotas of running jobs do not allow.
func (h *handling) withinQuotas(servers int) *apiError {
	q := h.fleet.Quotas
	if servers > q.ServersPerJob {
		return quotaExceeded("L-B827C881", "You have reached the limit of source servers in a single job: %d.", q.ServersPerJob)
	}
	jobs, busy := 0, 0
	for _, j := range h.jobs {
		if j.ended.IsZero() {
			jobs++
			busy += len(j.servers)
		}
	}
	if jobs >= q.Jobs {
		return quotaExceeded("L-D88FAC3A", "You have reached the limit of concurrent jobs in progress: %d.", q.Jobs)
	}
	if busy+servers > q.ServersInJobs {
		return quotaExceeded("L-05AFA8C6", "You have reached the limit of source servers in all jobs: %d.", q.ServersInJobs)
	}
	return nil
}

// describeJobs lists jobs, the newest first. An empty list of ids means all of them, as with AWS.
func (h *handling) describeJobs(in map[string]any) (any, *apiError) {
	filters := objectAt(in, "filters")
	ids := toSet(stringsAt(filters, "jobIDs"))
	from, to, e := span(stringAt(filters, "fromDate"), stringAt(filters, "toDate"))
	if e != nil {
		return nil, e
	}
	view := h.lagging(LagJobList)
	var found []*job
	var keys []string
	for i := len(h.jobs) - 1; i >= 0; i-- {
		j := h.jobs[i]
		if len(ids) > 0 && !ids[j.id] || j.created.Before(from) || j.created.After(to) || j.created.After(view) {
			continue
		}
		found = append(found, j)
		keys = append(keys, j.id)
		h.touch(j.id)
	}
	return h.page(in, "items", keys, func(i int) any { return h.showJob(found[i], view) })
}

// lagging is the moment of which a list tells: now, or as long ago as a fault
// says.
func (h *handling) lagging(fault string) time.Time {
	if f, ok := h.oracle.call(fault); ok {
		return h.now.Add(-time.Duration(f.Duration))
	}
	return h.now
}

// describeJobLogItems tells what happened in a job, oldest first.
func (h *handling) describeJobLogItems(in map[string]any) (any, *apiError) {
	id := stringAt(in, "jobID")
	h.touch(id)
	j := h.job(id)
	if j == nil {
		return nil, invalid("Job %s does not exist.", id)
	}
	view := h.lagging(LagJobList)
	var keys []string // the log only grows, so an item's number is its key
	for i := range j.log {
		if !j.log[i].at.After(view) {
			keys = append(keys, strconv.Itoa(i))
		}
	}
	return h.page(in, "items", keys, func(i int) any {
		l := j.log[i]
		item := map[string]any{"logDateTime": stamp(l.at), "event": l.event}
		if l.data != nil {
			item["eventData"] = l.data
		}
		return item
	})
}
