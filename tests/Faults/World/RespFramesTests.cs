using System.Text;

namespace SessionActors;

public sealed class RespFramesTests
{
    [Theory]
    [InlineData("+OK\r\n", 1, 0)]
    [InlineData("$5\r\na\r\nbc\r\n:1\r\n", 2, 0)]
    [InlineData("$-1\r\n$0\r\n\r\n*-1\r\n*0\r\n", 4, 2)]
    [InlineData("*3\r\n$7\r\nwritten\r\n*2\r\n:1\r\n%1\r\n+a\r\n+b\r\n_\r\n", 1, 1)]
    [InlineData("%2\r\n+a\r\n*1\r\n:1\r\n+b\r\n~2\r\n:1\r\n:2\r\n>2\r\n+x\r\n$1\r\n*\r\n", 2, 0)]
    [InlineData("*2\r\n$3\r\nabc\r\n", 0, 0)]
    public void Values_are_counted_however_they_are_cut(string text, int values, int arrays)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        for (var piece = 1; piece <= bytes.Length; piece++)
        {
            var frames = new RespFrames();
            foreach (var part in bytes.Chunk(piece))
            {
                frames.Feed(part);
            }

            Assert.Equal((values, arrays), (frames.Values, frames.Arrays));
        }
    }
}
