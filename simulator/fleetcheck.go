package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ParseFleet reads a fleet file's content. Whatever is wrong with it comes as one *FleetError.
func ParseFleet(name string, data []byte) (*Fleet, error) {
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil {
		p := syntaxProblem(err)
		if errors.Is(err, io.EOF) {
			p = FleetProblem{Line: 1, Column: 1, Message: "the file is empty"}
		}
		return nil, &FleetError{name, []FleetProblem{p}}
	}
	d := &decoder{places: map[string]*yaml.Node{}}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		d.complain(nil, "", "there is more than one document in the file")
	}
	f := new(Fleet)
	d.read(doc.Content[0], reflect.ValueOf(f).Elem(), "", 0)
	f.Name = name
	sum := sha256.Sum256(data)
	f.digest = hex.EncodeToString(sum[:8])
	f.order = d.keys("accounts")
	if d.nodes <= maxNodes {
		c := fleetChecker{d, f}
		c.fleet()
	}
	if len(d.problems) > 0 {
		return nil, &FleetError{name, d.sorted()}
	}
	return f, nil
}

// keys lists a mapping's keys in the file's order, what it merges in after its own.
func (d *decoder) keys(path string) []string {
	n := d.places[path]
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var keys []string
	quiet := &decoder{places: map[string]*yaml.Node{}}
	quiet.pairs(n, path, func(key, _ *yaml.Node) { keys = append(keys, key.Value) })
	return keys
}

// fleetChecker holds a fleet that could be read against what AWS would have, and
// against itself. It fills in the defaults that depend on other values.
type fleetChecker struct {
	*decoder
	f *Fleet
}

var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]$`)
	rolePattern    = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	roleARN        = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$`)
	actionPattern  = regexp.MustCompile(`^(\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$`)
	externalID     = regexp.MustCompile(`^[\w+=,.@:/-]{2,}$`)
	codePattern    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.]{0,99}$`)
	instanceType   = regexp.MustCompile(`^[a-z0-9-]+\.[a-z0-9-]+$`)

	strictID = map[string]*regexp.Regexp{
		"s":      regexp.MustCompile(`^s-[0-9a-zA-Z]{17}$`),
		"drsjob": regexp.MustCompile(`^drsjob-[0-9a-zA-Z]{17}$`),
		"pit":    regexp.MustCompile(`^pit-[0-9a-zA-Z]{17}$`),
		"i":      regexp.MustCompile(`^i-([0-9a-f]{8}|[0-9a-f]{17})$`),
		"lt":     regexp.MustCompile(`^lt-[0-9a-f]{17}$`),
		"subnet": regexp.MustCompile(`^subnet-([0-9a-f]{8}|[0-9a-f]{17})$`),
		"sg":     regexp.MustCompile(`^sg-([0-9a-f]{8}|[0-9a-f]{17})$`),
		"vpc":    regexp.MustCompile(`^vpc-([0-9a-f]{8}|[0-9a-f]{17})$`),
	}
	relaxedID = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]{0,100}$`)
)

// id checks an id of AWS's against its pattern, or its prefix and characters in a fleet with strictIds: false.
func (c *fleetChecker) id(path, prefix, id string) {
	switch rest, ok := strings.CutPrefix(id, prefix+"-"); {
	case id == "":
		c.at(path, "an id (%s-…) is needed", prefix)
	case !ok, !relaxedID.MatchString(rest):
		c.at(path, "%q is not an id of the kind %s-…", id, prefix)
	case c.f.StrictIDs && !strictID[prefix].MatchString(id):
		c.at(path, "%q is not an id as AWS makes them (%s)", id, strictID[prefix])
	}
}

func (c *fleetChecker) oneOf(path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		c.at(path, "must be one of %s, not %q", strings.Join(allowed, ", "), value)
	}
}

func (c *fleetChecker) between(path string, n, least, most int) {
	if n < least || n > most {
		c.at(path, "must be between %d and %d, not %d", least, most, n)
	}
}

// once complains about a value that stands in a second place.
func (c *fleetChecker) once(seen map[string]string, path, value string) {
	if value == "" {
		return
	}
	if first, ok := seen[value]; ok {
		c.at(path, "%s stands at %s already", value, first)
		return
	}
	seen[value] = path
}

func (c *fleetChecker) fleet() {
	f := c.f
	if f.Version != 1 {
		c.at("version", "must be 1")
	}
	if !accountPattern.MatchString(f.Caller) {
		c.at("caller", "must be an account id: twelve digits, in quotes")
	}
	if len(f.order) == 0 {
		c.at("accounts", "a fleet needs an account")
	}
	for _, id := range f.order {
		path := joinPath("accounts", id)
		if !accountPattern.MatchString(id) {
			c.at(path, "%q is not an account id: twelve digits, in quotes", id)
		}
		if a := f.Accounts[id]; a != nil {
			c.account(path, a)
		}
	}
}

func (c *fleetChecker) account(path string, a *Account) {
	names := map[string]string{}
	for i := range a.Roles {
		c.role(fmt.Sprintf("%s.roles[%d]", path, i), &a.Roles[i], names)
	}
	for _, name := range c.keys(joinPath(path, "regions")) {
		at := joinPath(joinPath(path, "regions"), name)
		if !regionPattern.MatchString(name) {
			c.at(at, "%q is not the name of a region", name)
		}
		if r := a.Regions[name]; r != nil {
			c.region(at, name, r)
		}
	}
}

func (c *fleetChecker) role(path string, r *Role, names map[string]string) {
	if !rolePattern.MatchString(r.Name) {
		c.at(path+".name", "%q is not the name of a role", r.Name)
	}
	c.once(names, path+".name", r.Name)
	for i, t := range r.Trusts {
		if !accountPattern.MatchString(t) && !roleARN.MatchString(t) {
			c.at(fmt.Sprintf("%s.trusts[%d]", path, i), "%q is neither an account id nor a role's ARN", t)
		}
	}
	if r.ExternalID != "" && (!externalID.MatchString(r.ExternalID) || len(r.ExternalID) > 1224) {
		c.at(path+".externalId", "must have 2 to 1224 characters: letters, digits and _ + = , . @ : / -")
	}
	for i, a := range r.Deny {
		if !actionPattern.MatchString(a) {
			c.at(fmt.Sprintf("%s.deny[%d]", path, i), "%q is not an action such as drs:TagResource", a)
		}
	}
	if h := r.MaxSession; h < 3600e9 || h > 12*3600e9 {
		c.at(path+".maxSession", "must be between 1h and 12h")
	}
}

func (c *fleetChecker) region(path, name string, r *Region) {
	c.between(path+".pageSize", r.PageSize, 1, 1000)
	c.between(path+".quotas.jobs", r.Quotas.Jobs, 0, 100_000)
	c.between(path+".quotas.serversInJobs", r.Quotas.ServersInJobs, 0, 1_000_000)
	c.between(path+".quotas.serversPerJob", r.Quotas.ServersPerJob, 0, 200)

	subnets, groups := map[string]string{}, map[string]string{}
	for i := range r.Subnets {
		c.subnet(fmt.Sprintf("%s.subnets[%d]", path, i), name, &r.Subnets[i], subnets)
	}
	for i, g := range r.SecurityGroups {
		at := fmt.Sprintf("%s.securityGroups[%d]", path, i)
		c.id(at+".id", "sg", g.ID)
		c.once(groups, at+".id", g.ID)
		if g.VPC != "" {
			c.id(at+".vpc", "vpc", g.VPC)
		}
	}
	servers, others := map[string]string{}, map[string]string{}
	for i := range r.Servers {
		c.server(fmt.Sprintf("%s.servers[%d]", path, i), &r.Servers[i], servers, others, subnets, groups)
	}
	held := map[string]string{}
	for i, inst := range r.Instances {
		at := fmt.Sprintf("%s.instances[%d]", path, i)
		if servers[inst.Server] == "" {
			c.at(at+".server", "no server of this region is called %q", inst.Server)
		}
		c.once(held, at+".server", inst.Server)
		if inst.ID != "" {
			c.id(at+".id", "i", inst.ID)
			c.once(others, at+".id", inst.ID)
		}
		c.oneOf(at+".state", inst.State, "PENDING", "RUNNING", "STOPPING", "STOPPED", "SHUTTING-DOWN", "TERMINATED", "NOT_FOUND")
	}
	for _, service := range c.keys(path + ".buckets") {
		at := path + ".buckets." + service
		c.oneOf(at, service, "drs", "ec2", "sts")
		for _, op := range c.keys(at) {
			if op != "*" && !knownOperation(op) {
				c.at(joinPath(at, op), "no operation is called %q here (there are *, %s)", op, strings.Join(allOperations(), ", "))
			}
		}
	}
	for i := range r.Faults {
		at := fmt.Sprintf("%s.faults[%d]", path, i)
		for _, p := range r.Faults[i].problems() {
			c.at(strings.TrimSuffix(at+"."+p.Path, "."), "%s", p.Message)
		}
		if r.Faults[i].Account != "" || r.Faults[i].Region != "" {
			c.at(at, "a fault of a fleet file is in force where it stands: it takes no account and no region")
		}
		for j, s := range r.Faults[i].Servers {
			if servers[s] == "" {
				c.at(fmt.Sprintf("%s.servers[%d]", at, j), "no server of this region is called %q", s)
			}
		}
	}
}

func (c *fleetChecker) subnet(path, region string, s *Subnet, seen map[string]string) {
	c.id(path+".id", "subnet", s.ID)
	c.once(seen, path+".id", s.ID)
	if s.VPC != "" {
		c.id(path+".vpc", "vpc", s.VPC)
	}
	if s.Zone == "" {
		s.Zone = region + "a"
	} else if !strings.HasPrefix(s.Zone, region) || len(s.Zone) != len(region)+1 {
		c.at(path+".zone", "%q is not a zone of %s", s.Zone, region)
	}
	prefix, err := netip.ParsePrefix(s.CIDR)
	if err != nil || !prefix.Addr().Is4() || prefix.Masked() != prefix || prefix.Bits() < 16 || prefix.Bits() > 28 {
		c.at(path+".cidr", "%q is not an IPv4 network from /16 to /28, such as 10.0.1.0/24", s.CIDR)
		return
	}
	room := 1<<(32-prefix.Bits()) - 5 // AWS keeps the first four and the last
	if s.Free == -1 && c.places[path+".free"] == nil {
		s.Free = room
	}
	c.between(path+".free", s.Free, 0, room)
}
