package awsdrs

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"muster/recovery"
)

// configureRounds is how often the templates of one wave are read again
// because DRS, or somebody else, wrote a version behind us.
const configureRounds = 5

var configuring = operation{service: "DRS", name: "UpdateLaunchConfiguration"}

// target is one server whose launch settings are to be made right.
type target struct {
	id   recovery.SourceServerID
	want recovery.Resolved

	template string // its launch template's id
	inDRS    []recovery.SettingChange
	told     time.Time // when DRS was told to write the template, by AWS's clock and not too late; zero: never

	version    int64                             // the template's default, as last read; 0: not read
	data       *types.ResponseLaunchTemplateData // of that version
	inTemplate []recovery.SettingChange
}

// fail says what failed for the server: as a whole, or about settings.
func (t *target) fail(doing string, err error, about ...recovery.Setting) error {
	return &recovery.ConfigError{Server: t.id, Settings: about, Doing: doing, Err: err}
}

// asks says whether anything is wanted of the server's launch template.
func (t *target) asks() bool {
	for s := range t.want.LaunchConfig {
		if s.Home() == recovery.InTemplate {
			return true
		}
	}
	return false
}

// Configure makes the launch settings of servers what is asked for.
//
// Each server flows through its own chain of reads and writes, all at the same
// time. There are two places where all wait for all, and only if something is
// to be changed: before the first change in DRS, and before the first change
// in templates, for what is changed is announced at once. Nothing is changed
// after anything has failed; what is under way finishes.
func (r *region) Configure(ctx context.Context, c recovery.Configuration) error {
	if len(c.Want) == 0 {
		return configuring.refuse("no servers were named")
	}
	w := &configuration{region: r, Configuration: c, net: network{}}
	for id, want := range c.Want {
		w.targets = append(w.targets, &target{id: id, want: want})
	}
	slices.SortFunc(w.targets, func(a, b *target) int { return cmp.Compare(a.id, b.id) })
	if err := w.read(ctx); err != nil {
		return err
	}
	if err := w.settleDRS(ctx); err != nil {
		return err
	}
	return w.settleTemplates(ctx)
}

// configuration is one run of Configure.
type configuration struct {
	recovery.Configuration
	region  *region
	targets []*target
	net     network
}

// read reads everything that can be read before a change is announced: the
// settings in DRS, the networks that are asked for, and the templates that DRS
// is not going to write.
func (w *configuration) read(ctx context.Context) error {
	asked := make(chan error, 1)
	go func() { asked <- w.lookUpAsked(ctx) }()
	err := w.all(w.targets, func(t *target) error {
		if err := w.readDRS(ctx, t); err != nil {
			return err
		}
		if t.asks() && (len(t.inDRS) == 0 || t.dependsOnTemplate()) {
			return w.readTemplate(ctx, t)
		}
		return nil
	})
	if err := errors.Join(err, <-asked); err != nil {
		return err
	}
	if err := w.lookUpOwn(ctx); err != nil {
		return err
	}
	return w.all(w.targets, w.check)
}

// settleDRS makes DRS's own settings right, and reads the templates that DRS
// has written because of it.
func (w *configuration) settleDRS(ctx context.Context) error {
	differing := slices.DeleteFunc(slices.Clone(w.targets), func(t *target) bool { return len(t.inDRS) == 0 })
	if err := w.announce(ctx, differing, func(t *target) []recovery.SettingChange { return t.inDRS }); err != nil {
		return err
	}
	return w.all(differing, func(t *target) error {
		if err := w.writeDRS(ctx, t); err != nil || !t.asks() {
			return err
		}
		return w.readAndCheck(ctx, t)
	})
}

// settleTemplates makes the templates right: a new version where one is
// wrong, the default, and a look whether it still is once all are written.
func (w *configuration) settleTemplates(ctx context.Context) error {
	unsure := slices.DeleteFunc(slices.Clone(w.targets), func(t *target) bool { return !t.asks() })
	for round := 1; ; round++ {
		differing := slices.DeleteFunc(slices.Clone(unsure), func(t *target) bool { return len(t.inTemplate) == 0 })
		if err := w.announce(ctx, differing, func(t *target) []recovery.SettingChange { return t.inTemplate }); err != nil {
			return err
		}
		if err := w.all(differing, func(t *target) error { return w.writeTemplate(ctx, t) }); err != nil {
			return err
		}
		// Whoever was only read, before or after DRS wrote, is confirmed too if
		// DRS was told to write: it may write late.
		written := slices.DeleteFunc(unsure, func(t *target) bool { return len(t.inDRS) == 0 && len(t.inTemplate) == 0 })
		var err error
		if unsure, err = w.late(ctx, written); err != nil || len(unsure) == 0 {
			return err
		}
		if round == configureRounds {
			return w.all(unsure, func(t *target) error {
				return t.fail("making version "+number(t.version)+" the default of its launch template",
					errors.New("somebody else keeps making another version the default"))
			})
		}
		if err := w.all(unsure, func(t *target) error { return w.readAndCheck(ctx, t) }); err != nil {
			return err
		}
	}
}

func (w *configuration) readAndCheck(ctx context.Context, t *target) error {
	if err := w.readTemplate(ctx, t); err != nil {
		return err
	}
	return w.check(t)
}

// announce tells what is about to be changed, all at once, and says whether it
// may be.
func (w *configuration) announce(ctx context.Context, targets []*target, changes func(*target) []recovery.SettingChange) error {
	if len(targets) == 0 || w.Before == nil {
		return nil
	}
	all := make([]recovery.ServerChange, len(targets))
	for i, t := range targets {
		all[i] = recovery.ServerChange{Server: t.id, TemplateID: t.template, DefaultVersion: t.version, Changes: changes(t)}
	}
	return w.Before(ctx, all)
}

// all does something for every target at the same time, and joins what failed.
func (w *configuration) all(targets []*target, do func(*target) error) error {
	_, errs := each(targets, func(t *target) (struct{}, error) { return struct{}{}, do(t) })
	return errors.Join(errs...)
}
