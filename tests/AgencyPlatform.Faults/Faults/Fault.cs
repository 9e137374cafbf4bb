namespace AgencyPlatform.Faults;

/// <summary>Something that goes wrong while the service is under load, and the promise of how soon it answers again.</summary>
internal abstract class Fault
{
    /// <summary>On the command line and in the table.</summary>
    public abstract string Name { get; }

    /// <summary>What is done, in one sentence.</summary>
    public abstract string What { get; }

    /// <summary>Invariant A: no agency is without a success for longer than this, from the moment at which <see cref="Strike"/> is over.</summary>
    public abstract TimeSpan Bound { get; }

    /// <summary>How often it strikes under one load.</summary>
    public virtual int Times => 1;

    /// <summary>Where it can strike.</summary>
    public virtual IReadOnlyList<Engine> Engines => [Engine.Postgres];

    /// <summary>What it strikes; another one where the fault needs something that is set up before the processes start.</summary>
    public virtual Task<Cluster> Start(string folder, Engine engine) => Cluster.Start(folder, engine);

    /// <summary>Makes the fault, and ends when it is over: at once for a kill, when the frozen thing runs on for a freeze.</summary>
    /// <param name="time">Which one this is, from 0.</param>
    public abstract Task Strike(Scene scene, int time);

    /// <summary>What an operator or a supervisor does afterwards, once every agency is answered again.</summary>
    public virtual Task Mend(Scene scene, int time) => Task.CompletedTask;

    /// <summary>What is looked at when the load has ended, beside what is judged after every fault.</summary>
    public virtual Task Judge(Scene scene) => Task.CompletedTask;
}

/// <summary>What a fault has before it: the processes, the load, and a place for what it found wrong.</summary>
internal sealed class Scene(Cluster cluster, LoadTester load, string folder)
{
    private readonly List<string> _wrong = [];
    private readonly List<string> _notes = [];

    public Cluster Cluster => cluster;

    public LoadTester Load => load;

    /// <summary>For logs and files of this fault.</summary>
    public string Folder => folder;

    public IReadOnlyList<string> Wrongs => _wrong;

    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Something that must not be: the fault is not passed.</summary>
    public void Wrong(string what) => _wrong.Add(what);

    /// <summary>Something worth saying beside the table.</summary>
    public void Note(string what) => _notes.Add(what);
}
