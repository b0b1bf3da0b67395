package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/spf13/pflag"

	"muster/cmd/wiring"
	"muster/planfile"
	"muster/recovery"
	"muster/simulator"
)

// worldFlags say which simulated AWS a command works with, and where what
// happens is kept.
type worldFlags struct {
	fleet  string
	data   string
	speed  float64
	seed   int64
	faults []string

	endpoint string
	groups   string
	store    string
	aws      bool   // no simulated AWS: the real one
	function string // a deployed Muster, and nothing on this machine
}

// addWorld adds the flags of a simulated AWS.
func (w *worldFlags) addWorld(flags *pflag.FlagSet, dataHelp string) {
	flags.StringVar(&w.fleet, "fleet", simulator.DefaultFleet, "what the simulated AWS holds: a built-in `FLEET` ("+oneLine(simulator.FleetNames())+") or a file")
	flags.StringVar(&w.data, "data", "", dataHelp)
	flags.Float64Var(&w.speed, "speed", 1, "let the simulated jobs run so many `TIMES` faster")
	flags.Int64Var(&w.seed, "seed", 0, "the `NUMBER` that decides every made-up id and every chance (default: the fleet's)")
	flags.StringArrayVar(&w.faults, "fault", nil, "let something go wrong: a `FAULT` is NAME[:KEY=VALUE,...]; may be repeated (muster help faults)")
}

// addHouse adds the flags of what works with a simulated AWS.
func (w *worldFlags) addHouse(flags *pflag.FlagSet) {
	flags.StringVar(&w.endpoint, "endpoint", "", "use the simulated AWS that runs at `URL` (muster simulate), instead of one of our own")
	w.addStore(flags)
	flags.StringVar(&w.groups, "groups", "", "protection groups from a plan `FILE` (default: those of the fleet, if it has any)")
}

// addPlaces adds the flags that say where executions are: in a record, or at a
// function.
func (w *worldFlags) addPlaces(flags *pflag.FlagSet) {
	w.addRecordPlaces(flags)
	w.addFunction(flags)
}

// addRecordPlaces adds the flags that say where a record is.
func (w *worldFlags) addRecordPlaces(flags *pflag.FlagSet) {
	w.addWorld(flags, recordHelp)
	flags.StringVar(&w.endpoint, "endpoint", "", "the simulated AWS that runs at `URL` (muster simulate), instead of one of our own; beside --function the function that is served there (muster function)")
	w.addStore(flags)
	flags.BoolVar(&w.aws, "aws", false, "AWS itself, with your own credentials, instead of a simulated one")
}

const recordHelp = "keep the simulated AWS and the record of executions in this `FOLDER` (default: a folder for each fleet under $XDG_STATE_HOME/muster or ~/.local/state/muster)"

// house is what a command works with. Close it.
type house struct {
	wiring.House
	store   recovery.ExecutionStore
	where   string // the record, for people
	table   bool   // it is in a table, and not in a file
	closers []func() error
}

// Close lets go of files, the last one opened first.
func (h *house) Close() error {
	var errs []error
	for _, c := range slices.Backward(h.closers) {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// open puts the house together, as far as it is needed. Errors of what the flags
// say are usage.
func (w *worldFlags) open(ctx context.Context, m *Main, n need) (*house, error) {
	if err := w.check(); err != nil {
		return nil, err
	}
	folder, err := w.recordFolder(ctx, m)
	if err != nil {
		return nil, err
	}
	h := &house{}
	if n >= acts {
		err = w.openAWS(ctx, h, folder)
	}
	if err == nil {
		err = w.openStore(ctx, m, h, folder, n)
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// openAWS opens the accounts: of AWS itself, with whatever the SDK finds in the
// user's own settings, or of a simulated one.
func (w *worldFlags) openAWS(ctx context.Context, h *house, folder string) error {
	if w.aws {
		settings, err := ownSettings(ctx)
		if err != nil {
			return err
		}
		settings.Region = cmp.Or(settings.Region, "us-east-1") // for STS; every account context names its own
		h.Accounts = wiring.Accounts(settings, nil)
		return nil
	}
	fleet, err := w.loadFleet()
	if err != nil {
		return err
	}
	if h.Groups, err = w.openGroups(fleet); err != nil {
		return err
	}
	if w.endpoint != "" {
		_, err = worldAt(ctx, w.endpoint)
		h.Accounts = wiring.Accounts(local(fleet, w.endpoint, nil), nil)
		return err
	}
	world, err := w.world(fleet, folder)
	if err != nil {
		return err
	}
	h.closers = append(h.closers, world.Close)
	h.Accounts = wiring.Accounts(local(fleet, "http://simulated.invalid", &http.Client{Transport: world.RoundTripper()}), nil)
	return nil
}

func (w *worldFlags) loadFleet() (*simulator.Fleet, error) {
	fleet, err := simulator.LoadFleet(w.fleet)
	if err != nil {
		return nil, usage("", "--fleet: %w", err)
	}
	return fleet, nil
}

func (w *worldFlags) openGroups(fleet *simulator.Fleet) (recovery.GroupStore, error) {
	if w.groups != "" {
		groups, err := wiring.Groups(w.groups)
		if err != nil {
			return nil, usage("", "--groups: %w", err)
		}
		return groups, nil
	}
	groups, err := planfile.GroupsOf(fleet.Name, &fleet.Groups)
	if err != nil {
		return nil, usage("", "--fleet: %w", err)
	}
	return groups, nil
}

// world makes the simulated AWS, where the folder says that it was left. An
// empty folder is a world in memory.
func (w *worldFlags) world(fleet *simulator.Fleet, folder string) (*simulator.World, error) {
	o := simulator.Options{Seed: w.seed, Speed: w.speed}
	for _, text := range w.faults {
		fault, err := simulator.ParseFault(text)
		if err != nil {
			return nil, usage("See: muster help faults", "--fault: %w", err)
		}
		o.Faults = append(o.Faults, fault)
	}
	if !(w.speed > 0 && w.speed <= 1e6) {
		return nil, usage("", "--speed: %v is not between 0 and 1,000,000", w.speed)
	}
	if folder != "" {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("the folder of --data: %w", err)
		}
		o.Journal = filepath.Join(folder, journalFile)
	}
	world, err := simulator.New(fleet, o)
	if errors.Is(err, simulator.ErrOtherWorld) {
		return nil, usage(fmt.Sprintf("Use the fleet and seed that the folder was made with, another folder (--data DIR), or begin anew: rm -r %s", recovery.ShellWord(folder)),
			"%w", err)
	}
	return world, err
}

// recordFolder is where the record is that the flags lead to, and the simulated
// AWS beside it.
func (w *worldFlags) recordFolder(ctx context.Context, m *Main) (string, error) {
	switch {
	case w.data != "":
		return filepath.Abs(w.data)
	case w.aws:
		return w.ownFolder(m, "aws")
	}
	fleet, err := w.loadFleet()
	if err != nil {
		return "", err
	}
	name, err := w.worldName(ctx, fleet)
	if err != nil {
		return "", err
	}
	return w.ownFolder(m, name)
}

func (w *worldFlags) ownFolder(m *Main, name string) (string, error) {
	home := m.Env("XDG_STATE_HOME")
	if !filepath.IsAbs(home) { // as the XDG base directory specification has it
		user := m.Env("HOME")
		if user == "" {
			return "", usage("Say where to keep what happens: --data DIR", "neither XDG_STATE_HOME nor HOME is set")
		}
		home = filepath.Join(user, ".local", "state")
	}
	return filepath.Join(home, "muster", name), nil
}

// worldName keeps the worlds of different fleets, seeds and endpoints apart.
func (w *worldFlags) worldName(ctx context.Context, fleet *simulator.Fleet) (string, error) {
	if w.endpoint != "" {
		world, err := worldAt(ctx, w.endpoint)
		return "endpoint-" + digest(w.endpoint+world), err
	}
	name := fleet.Name
	if !slices.Contains(simulator.FleetNames(), name) {
		path, _ := filepath.Abs(name) // "" fails later, for everything else, too
		name = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)) + "-" + digest(path)
	}
	if w.seed != 0 {
		name = fmt.Sprintf("%s-seed-%d", name, w.seed)
	}
	return name, nil
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}

// check says what is wrong with flags about a simulated AWS where another one is
// meant.
func (w *worldFlags) check() error {
	if w.aws {
		if w.fleet != simulator.DefaultFleet || w.endpoint != "" || w.speed != 1 || w.seed != 0 || len(w.faults) > 0 {
			return usage("", "--aws is AWS itself: --fleet, --endpoint, --speed, --seed and --fault are about a simulated one")
		}
		return nil
	}
	u, err := url.Parse(w.endpoint)
	switch {
	case w.endpoint == "":
		return nil
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return usage("Give the address that muster simulate prints, e.g. --endpoint http://127.0.0.1:4599",
			"--endpoint: %s is not the URL of a server", recovery.Quote(w.endpoint))
	case len(w.faults) > 0 || w.speed != 1 || w.seed != 0:
		return usage("Give them to the muster simulate that runs there", "--fault, --speed and --seed are about a simulated AWS of our own, not about one at --endpoint")
	}
	return nil
}

// local is the configuration of the SDK for a simulated AWS. It is made by
// hand: nobody's real credentials, profile or endpoints are ever looked at.
func local(fleet *simulator.Fleet, endpoint string, client *http.Client) aws.Config {
	config := aws.Config{
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider(cmp.Or(fleet.Caller, simulator.CallersAccount), "simulated", ""),
		BaseEndpoint: aws.String(endpoint),
	}
	if client != nil {
		config.HTTPClient = client
	}
	return config
}
