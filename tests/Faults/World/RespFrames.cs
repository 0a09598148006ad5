using System.Globalization;
using System.Text;

namespace SessionActors;

/// <summary>Counts the values in a stream of Redis' protocol, whatever the pieces that it comes in.</summary>
internal sealed class RespFrames
{
    private readonly StringBuilder _line = new();
    private readonly Stack<long> _open = new();
    private long _skip;
    private char _outermost;

    /// <summary>Whole values so far, those inside others not counted.</summary>
    public long Values { get; private set; }

    /// <summary>How many of them were arrays: what our scripts answer, and nothing that a connection sends to live.</summary>
    public long Arrays { get; private set; }

    public void Feed(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_skip > 0)
            {
                var skipped = (int)Math.Min(_skip, bytes.Length);
                bytes = bytes[skipped..];
                _skip -= skipped;
                if (_skip == 0)
                {
                    End();
                }

                continue;
            }

            var end = bytes.IndexOf((byte)'\n');
            _line.Append(Encoding.Latin1.GetString(end < 0 ? bytes : bytes[..end]));
            bytes = end < 0 ? [] : bytes[(end + 1)..];
            if (end >= 0)
            {
                Begin(_line.ToString().TrimEnd('\r'));
                _line.Clear();
            }
        }
    }

    private void Begin(string line)
    {
        var type = line.Length > 0 ? line[0] : '+';
        _outermost = _open.Count == 0 ? type : _outermost;
        _ = long.TryParse(line.AsSpan(Math.Min(1, line.Length)), CultureInfo.InvariantCulture, out var count);
        switch (type)
        {
            case '$' or '=' or '!' when count >= 0:
                _skip = count + 2;
                break;
            case '*' or '~' or '>' or '%' when count > 0:
                _open.Push(type == '%' ? 2 * count : count);
                break;
            default:
                End();
                break;
        }
    }

    private void End()
    {
        while (_open.TryPop(out var left))
        {
            if (left > 1)
            {
                _open.Push(left - 1);
                return;
            }
        }

        Values++;
        Arrays += _outermost == '*' ? 1 : 0;
    }
}
